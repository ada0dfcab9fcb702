# SPDX-License-Identifier: GPL-3.0-or-later
"""nfs_cache on real NFS. The tests go on from each other, in this order."""

from __future__ import annotations

SHARE = "/lambda/nfs/shared"
LARGE, LATE = 24 * 2**20, 8 * 2**20
# What an open and its attributes take on the wire, as against the content.
TALK = 64 * 1024


def test_a_second_read_is_not_on_the_wire(client):
    first, sent = client.read(f"{SHARE}/large")
    client.settle()
    second, again = client.read(f"{SHARE}/large")
    print(f"\nbytes from the server: {sent}, then {again}")
    assert sent > LARGE and again < TALK
    assert first == second


def test_every_mount_of_that_superblock_has_the_option_and_the_others_have_not(client):
    assert "fsc" in client.options(SHARE) and "fsc" in client.options("/mnt/other")
    assert "fsc" not in client.options("/mnt/auto/.")
    changed = client.run("diff /root/fstab.before /etc/fstab || true").splitlines()
    assert [line for line in changed if line.startswith(">")] == [
        "> server:/srv/6c1f7a52-9d0e-4f63-8a53-2f1f6f0c9a11 /lambda/nfs/shared nfs rw,hard,proto=tcp,_netdev,fsc 0 0",
        ">   server:/srv/other\t/mnt/other\tnfs4\tdefaults,fsc\t0\t0",
    ]


def test_limits_follow_the_size_of_the_disk(client):
    size = int(client.run("stat --file-system --format='%b %S' / | awk '{print $1 * $2}'"))
    stop = -(-100 * 10**9 // size)
    settings = client.run("cat /etc/cachefilesd-gh200.conf").splitlines()
    assert [f"brun {stop + 10}%", f"bcull {stop + 5}%", f"bstop {stop}%"] == settings[2:5]


def test_check_mode_predicts_what_an_automount_lacks_and_then_it_is_cached(client, module):
    before = client.run("md5sum /etc/fstab")
    assert module("/mnt/auto", "--check")[:2] == (True, False)
    assert client.run("md5sum /etc/fstab") == before
    assert module("/mnt/auto")[:2] == (True, True)
    assert "fsc" in client.options("/mnt/auto/.")
    assert module("/mnt/auto", "--check")[:2] == (False, True)
    client.read("/mnt/auto/large")
    client.settle()
    assert client.read("/mnt/auto/large")[1] < TALK


def test_a_daemon_that_was_killed_comes_back_by_itself(client):
    pid = client.run("systemctl show --property=MainPID --value cachefilesd")
    back = f"[ $(systemctl show --property=MainPID --value cachefilesd) -gt {pid} ]"
    client.run(f"kill -9 {pid}; timeout 60 bash -c 'until {back}; do sleep 1; done'; systemctl is-active cachefilesd")
    assert client.read(f"{SHARE}/large")[1] < TALK


def test_a_daemon_that_is_down_is_found_and_started(client, module):
    client.run("systemctl stop cachefilesd")
    assert client.read(f"{SHARE}/large")[1] > LARGE
    assert module(SHARE)[:2] == (True, True)
    client.read(f"{SHARE}/large")
    client.settle()
    assert client.read(f"{SHARE}/large")[1] < TALK


def test_a_full_disk_stops_the_cache_and_not_the_reader(client, module):
    client.run(
        "fallocate --length $(( $(df --output=avail --block-size=1M / | tail -n 1) - 300 ))M /root/filler; sleep 2"
    )
    changed, cached, said = module(SHARE)
    assert (changed, cached) == (False, True)
    assert "nothing is added to the cache: what is not in it is read over the network" in said
    first, sent = client.read(f"{SHARE}/late")
    client.settle()
    second, again = client.read(f"{SHARE}/late")
    print(f"\nbytes from the server with a full disk: {sent}, then {again}")
    assert first == second and sent > LATE and again > LATE
    client.run("rm /root/filler; sleep 2")
    client.read(f"{SHARE}/late")
    client.settle()
    assert client.read(f"{SHARE}/late")[1] < TALK
    assert "nothing is added" not in module(SHARE)[2]


def test_after_a_reboot_everything_is_back_and_the_cache_is_warm(client):
    expected, dummy = client.read(f"{SHARE}/large")
    client.settle()
    client.reboot()
    assert client.run("systemctl is-active cachefilesd") == "active"
    assert "fsc" in client.options(SHARE)
    digest, sent = client.read(f"{SHARE}/large")
    print(f"\nbytes from the server after a reboot: {sent}")
    assert digest == expected and sent < TALK
    assert client.run("systemctl is-system-running") == "running"


def test_absent_leaves_nothing_and_fstab_is_as_it_was(client, role):
    changed, failed, said = role("absent")
    assert changed and not failed, said
    assert client.run("diff /root/fstab.before /etc/fstab") == ""
    assert "fsc" not in client.options(SHARE) + client.options("/mnt/other") + client.options("/mnt/auto/.")
    for path in (
        "/var/cache/fscache",
        "/etc/cachefilesd-gh200.conf",
        "/var/lib/gh200-fscache.json",
        "/sbin/cachefilesd",
    ):
        assert not client.host.file(path).exists, path
    assert not client.host.package("cachefilesd").is_installed
    assert client.host.run("systemctl is-active cachefilesd").stdout.strip() != "active"
    assert client.read(f"{SHARE}/large")[1] > LARGE and client.read(f"{SHARE}/large")[1] > LARGE
    assert role("absent")[:2] == (0, 0)


def test_a_busy_mount_is_refused_with_who_holds_it_and_then_converges_again(client, role, module):
    holder = client.run(f"cd {SHARE}; nohup sleep 3600 </dev/null >/dev/null 2>&1 & echo $!")
    dummy, failed, said = role("present")
    assert failed == 1
    assert f"{SHARE} is in use by process {holder} (sleep, {SHARE}), so it cannot be mounted anew" in said
    # Whoever works there is not disturbed, and no mount is lost.
    client.run(f"kill -0 {holder}; mountpoint --quiet {SHARE}; mountpoint --quiet /mnt/other")
    client.run(f"kill {holder}")
    assert module(SHARE)[:2] == (True, True)
    client.read(f"{SHARE}/large")
    client.settle()
    assert client.read(f"{SHARE}/large")[1] < TALK
