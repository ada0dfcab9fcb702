# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account has beside instances: catalogue, ssh keys, filesystems, firewall, audit events."""

from __future__ import annotations

import subprocess

import pytest

SSH = {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"}
PING = {"protocol": "icmp", "source_network": "10.0.0.0/8", "description": ""}


def test_the_catalogue_has_prices_architecture_and_where_there_is_capacity(account):
    types = account.data("GET", "/instance-types")
    gh200 = types["gpu_1x_gh200"]
    assert gh200["instance_type"]["price_cents_per_hour"] == 229 and gh200["instance_type"]["architecture"] == "arm64"
    assert gh200["regions_with_capacity_available"] == [{"name": "us-east-3", "description": "Washington DC, USA"}]
    assert types["gpu_1x_a10"]["regions_with_capacity_available"] == []


def test_a_price_may_be_another_one(make):
    assert (
        make(prices={"gpu_1x_gh200": 299}).data("GET", "/instance-types")["gpu_1x_gh200"]["instance_type"][
            "price_cents_per_hour"
        ]
        == 299
    )


def test_images_are_there_once_for_each_region(account):
    images = account.data("GET", "/images")
    regions = {item["name"] for item in account.data("GET", "/regions")}
    fitting = [
        item["region"]["name"]
        for item in images
        if item["family"] == "lambda-stack-22-04" and item["architecture"] == "arm64"
    ]
    assert sorted(fitting) == sorted(regions)
    assert len({item["id"] for item in images}) == len(images)


# -- ssh keys


def test_a_key_is_imported_listed_and_deleted(account):
    key = account.data("POST", "/ssh-keys", {"name": "desk", "public_key": "ssh-ed25519 AAAA me@desk"})
    assert set(key) == {"id", "name", "public_key"} and key in account.data("GET", "/ssh-keys")
    assert account.data("DELETE", f"/ssh-keys/{key['id']}") == {}
    assert key not in account.data("GET", "/ssh-keys")
    assert account.refusal("DELETE", f"/ssh-keys/{key['id']}")[:2] == (404, "global/not-found")


def test_a_generated_key_is_shown_once(account, tmp_path):
    key = account.data("POST", "/ssh-keys", {"name": "new"})
    (tmp_path / "key").write_text(key["private_key"], encoding="utf-8")
    (tmp_path / "key").chmod(0o600)
    public = subprocess.run(
        ["ssh-keygen", "-y", "-f", tmp_path / "key"], capture_output=True, text=True, check=True
    ).stdout
    assert public.split()[:2] == key["public_key"].split()[:2]
    assert all("private_key" not in item for item in account.data("GET", "/ssh-keys"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 65},
        {"name": "laptop"},
        {"name": "k", "public_key": ""},
        {"name": "k", "public_key": None},
        {"name": "k", "public_key": "ssh-rsa " + "A" * 4096},
        {"name": "k", "public_key": "hello"},
        {"name": "k", "public_key": "ssh-rsa !!!"},
        {"name": "k", "public_key": "ssh-rsa AAAA\nssh-rsa AAAA"},
        {"name": "k", "public_key": "-----BEGIN OPENSSH PRIVATE KEY-----"},
    ],
)
def test_a_wrong_key_is_refused(account, body):
    before = account.data("GET", "/ssh-keys")
    assert account.refusal("POST", "/ssh-keys", body)[:2] == (400, "global/invalid-parameters")
    assert account.data("GET", "/ssh-keys") == before


# -- filesystems


def test_a_filesystem_is_made_shown_and_deleted(account):
    made = account.data("POST", "/filesystems", {"name": "models", "region": "us-east-3"})
    assert made["mount_point"] == "/lambda/nfs/models" and made["is_in_use"] is False and made["bytes_used"] == 0
    assert made["created"] == "2027-01-15T08:00:00+00:00"
    assert made in account.data("GET", "/file-systems")
    assert account.data("DELETE", f"/filesystems/{made['id']}") == {"deleted_ids": [made["id"]]}
    assert account.refusal("DELETE", f"/filesystems/{made['id']}")[:2] == (404, "global/object-does-not-exist")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "1x", "region": "us-east-3"},
        {"name": "x" * 61, "region": "us-east-3"},
        {"name": "a_b", "region": "us-east-3"},
        {"name": "x", "region": "us-mars-1"},
    ],
)
def test_a_wrong_filesystem_is_refused(account, body):
    assert account.refusal("POST", "/filesystems", body)[:2] == (400, "global/invalid-parameters")


def test_a_name_is_taken_in_the_whole_account(account):
    assert account.refusal("POST", "/filesystems", {"name": "shared", "region": "us-west-1"})[:2] == (
        400,
        "global/duplicate",
    )


def test_there_are_so_many_filesystems_and_no_more(make):
    account = make(filesystem_quota=2)
    assert account.refusal("POST", "/filesystems", {"name": "x", "region": "us-east-3"})[:2] == (
        400,
        "global/quota-exceeded",
    )
    bad = make(invalid_address=True)
    assert bad.refusal("POST", "/filesystems", {"name": "x", "region": "us-east-3"})[:2] == (
        403,
        "global/invalid-address",
    )


@pytest.mark.parametrize("late", [0, 100])
def test_a_filesystem_is_in_use_until_its_last_instance_has_gone_or_later(make, late):
    account = make(release_seconds=late)
    first, second = account.launch(file_system_names=["shared"]), account.launch(file_system_names=["shared"])
    shared = next(item for item in account.data("GET", "/file-systems") if item["name"] == "shared")
    assert shared["is_in_use"]
    account.terminate(first)
    account.wait(1000)
    assert account.refusal("DELETE", f"/filesystems/{shared['id']}")[:2] == (400, "filesystems/filesystem-in-use")
    account.terminate(second)
    account.wait(60 + late)
    assert account.refusal("DELETE", f"/filesystems/{shared['id']}")[:2] == (400, "filesystems/filesystem-in-use")
    account.wait(1)
    account.data("DELETE", f"/filesystems/{shared['id']}")


# -- firewall


def test_an_account_lets_in_ssh_and_ping(account):
    assert {
        (rule["protocol"], tuple(rule.get("port_range", ()))) for rule in account.data("GET", "/firewall-rules")
    } == {("tcp", (22, 22)), ("icmp", ())}


def test_put_replaces_all_rules_and_the_global_ruleset_shows_the_same(account):
    assert account.data("PUT", "/firewall-rules", {"data": [SSH, PING]}) == [SSH, PING]
    assert account.data("GET", "/firewall-rules") == [SSH, PING]
    assert account.data("GET", "/firewall-rulesets/global")["rules"] == [SSH, PING]
    assert account.data("PATCH", "/firewall-rulesets/global", {"rules": [SSH]})["rules"] == [SSH]
    assert (
        account.data("PATCH", "/firewall-rulesets/global", {})["rules"]
        == account.data("GET", "/firewall-rules")
        == [SSH]
    )
    assert account.data("PUT", "/firewall-rules", {"data": []}) == []


def test_an_address_without_a_mask_is_one_address(account):
    assert (
        account.data("PUT", "/firewall-rules", {"data": [SSH | {"source_network": "192.0.2.7"}]})[0]["source_network"]
        == "192.0.2.7/32"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": "sctp"},
        {"port_range": [0, 22]},
        {"port_range": [22, 65536]},
        {"port_range": [22]},
        {"port_range": [23, 22]},
        {"port_range": None},
        {"source_network": "192.0.2.1/24"},
        {"source_network": "::/0"},
        {"source_network": "home"},
        {"description": "x" * 129},
        {"protocol": "icmp"},
        {"source_network": 3221225985},
        {"source_network": ["192.0.2.0", 24]},
        {"source_network": None},
        {"source_network": True},
    ],
)
def test_a_wrong_rule_is_refused_and_the_old_ones_stay(account, change):
    before = account.data("GET", "/firewall-rules")
    for method, path, body in (
        ("PUT", "/firewall-rules", {"data": [SSH, SSH | change]}),
        ("PATCH", "/firewall-rulesets/global", {"rules": [SSH | change]}),
        ("POST", "/firewall-rulesets", {"name": "x", "region": "us-east-3", "rules": [SSH | change]}),
    ):
        assert account.refusal(method, path, body)[:2] == (400, "global/invalid-parameters")
    assert account.data("GET", "/firewall-rules") == before and account.data("GET", "/firewall-rulesets") == []


@pytest.mark.parametrize("missing", ["protocol", "port_range", "source_network", "description"])
def test_a_rule_needs_all_its_parts(account, missing):
    rule = {name: value for name, value in SSH.items() if name != missing}
    assert account.refusal("PUT", "/firewall-rules", {"data": [rule]})[:2] == (400, "global/invalid-parameters")


def test_put_without_rules_is_refused(account):
    assert account.refusal("PUT", "/firewall-rules", {})[:2] == (400, "global/invalid-parameters")
    assert account.data("GET", "/firewall-rules")


def test_a_ruleset_is_made_changed_and_deleted(account):
    made = account.data("POST", "/firewall-rulesets", {"name": "r1", "region": "us-east-3", "rules": [SSH]})
    path = f"/firewall-rulesets/{made['id']}"
    assert (
        made["rules"] == [SSH]
        and made["instance_ids"] == []
        and made["created"]
        and made["region"]["name"] == "us-east-3"
    )
    assert account.data("GET", "/firewall-rulesets") == [made] and account.data("GET", path) == made
    assert account.data("PATCH", path, {"name": "r2"}) == made | {"name": "r2"}
    assert account.data("PATCH", path, {"rules": [PING]}) == made | {"name": "r2", "rules": [PING]}
    assert account.data("DELETE", path) == {}
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert account.refusal(method, path, body)[:2] == (404, "global/object-does-not-exist")


def test_a_ruleset_of_an_instance_is_in_use(account):
    made = account.data("POST", "/firewall-rulesets", {"name": "r1", "region": "us-east-3", "rules": []})
    path = f"/firewall-rulesets/{made['id']}"
    instance_id = account.launch(firewall_rulesets=[{"id": made["id"]}])
    assert account.data("GET", path)["instance_ids"] == [instance_id]
    assert account.refusal("DELETE", path)[:2] == (400, "firewall-rulesets/firewall-ruleset-in-use")
    account.terminate(instance_id)
    account.wait(61)
    account.data("DELETE", path)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "region": "us-east-3"},
        {"name": "x" * 65, "region": "us-east-3", "rules": []},
        {"name": "x", "region": "us-mars-1", "rules": []},
    ],
)
def test_a_wrong_ruleset_is_refused(account, body):
    assert account.refusal("POST", "/firewall-rulesets", body)[:2] == (400, "global/invalid-parameters")


def test_there_are_so_many_rulesets_and_no_more(make):
    account = make(ruleset_quota=1)
    account.data("POST", "/firewall-rulesets", {"name": "a", "region": "us-east-3", "rules": []})
    assert account.refusal("POST", "/firewall-rulesets", {"name": "b", "region": "us-east-3", "rules": []})[:2] == (
        400,
        "global/quota-exceeded",
    )


# -- audit events


def events(account, **query):
    answer = account.client.get("/api/v1/audit-events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_was_done_is_told_oldest_first_and_a_refusal_is_not(account):
    instance_id = account.launch()
    account.call("DELETE", "/ssh-keys/none")
    account.wait(10)
    account.terminate(instance_id)
    account.terminate(instance_id)
    found = events(account)["data"]
    assert [(event["resource_name"], event["action"], event["resource_lrns"]) for event in found] == [
        ("instance", "launched", [f"lrn:cloud:instance:{instance_id}"]),
        ("instance", "terminated", [f"lrn:cloud:instance:{instance_id}"]),
    ]
    assert found[0]["additional_details"] == {"instance_type": "gpu_1x_gh200", "region": "us-east-3"}
    assert "secret_test" not in str(found) and found[0]["request_api_key_lrn"].startswith("lrn:cloud:api_key:")


def test_events_come_in_pages(make):
    account = make(audit_page=2)
    ids = [account.launch() for dummy in range(5)]
    seen, token = [], None
    for size in (2, 2, 1):
        page = events(account, **({"page_token": token} if token else {}))
        assert len(page["data"]) == size
        seen += page["data"]
        token = page["page_token"]
    assert token is None
    assert [event["resource_lrns"][0].rpartition(":")[2] for event in seen] == ids


def test_events_of_a_time_and_of_a_type(account):
    account.launch()
    account.wait(100)
    account.data("POST", "/ssh-keys", {"name": "k", "public_key": "ssh-rsa AAAA"})
    account.wait(100)
    account.data("POST", "/filesystems", {"name": "x", "region": "us-east-3"})
    assert [event["resource_name"] for event in events(account, resource_type="cloud.ssh_key")["data"]] == ["ssh_key"]
    middle = events(account, start="2027-01-15T08:00:01Z", end="2027-01-15T08:01:40+00:00")["data"]
    assert [event["resource_name"] for event in middle] == ["ssh_key"]


@pytest.mark.parametrize(
    "query",
    [
        "start=yesterday",
        "end=1",
        "page_token=abc",
        "page_token=ZnJvbQ==",
        "start=2027-01-15",
        "start=20270115T080000Z",
        "end=2027-W03-5T08:00:00Z",
        "start=2027-01-15T08:00:00",
        "end=2027-02-30T08:00:00Z",
        "end=2027-01-15T25:00:00Z",
        "start=2027-01-15T08:00Z",
        "start=",
    ],
)
def test_a_wrong_question_about_events_is_refused(account, query):
    assert account.refusal("GET", f"/audit-events?{query}")[:2] == (400, "global/invalid-parameters")
