# SPDX-License-Identifier: GPL-3.0-or-later
"""nfs_cache on real NFS. The tests go on from each other, in this order."""

from __future__ import annotations

SHARE = "/lambda/nfs/shared"
LARGE, LATE, SMALL = 24 * 2**20, 8 * 2**20, 2 * 2**20
# One superblock in the kernel, so they get the cache and lose it together.
TOGETHER = (SHARE, "/mnt/other", "/mnt/two words", "/mnt/late")


def assert_kept_here(reading):
    """No content came over the network: what did are the answers to questions about names and attributes."""
    print(f"\n{reading}")
    assert reading.content == 0
    # Each answer in a frame or two, with headers and acknowledgements.
    assert reading.wire <= reading.answers + 200 * sum(reading.calls.values()) + 2000


def assert_sent(reading, size):
    """The content came, once."""
    print(f"\n{reading}")
    assert size <= reading.content <= 1.01 * size and size < reading.wire < 1.06 * size


def test_a_second_read_is_not_on_the_wire(client):
    first = client.read(f"{SHARE}/large")
    assert_sent(first, LARGE)
    second = client.read(f"{SHARE}/large")
    assert_kept_here(second)
    assert first.digest == second.digest


def test_every_line_of_that_superblock_has_the_option_once_and_the_others_are_untouched(client):
    assert [path for path in TOGETHER if "fsc" not in client.options(path)] == []
    assert "fsc" not in client.options("/mnt/auto/.")
    changed = client.run("diff /root/fstab.before /etc/fstab || true").splitlines()
    assert [line for line in changed if line.startswith(">")] == [
        "> server:/srv/6c1f7a52-9d0e-4f63-8a53-2f1f6f0c9a11 /lambda/nfs/shared nfs rw,hard,proto=tcp,_netdev,fsc 0 0",
        ">   server:/srv/other\t/mnt/other\tnfs4\tdefaults,fsc\t0\t0",
        "> server:/srv/other /mnt/two\\040words nfs fsc",
    ]


def test_limits_follow_the_size_of_the_disk(client):
    blocks, each = map(int, client.run("stat --file-system --format='%b %S' /").split())
    size = blocks * each
    stop = -(-100 * 10**9 // size)
    settings = client.run("cat /etc/cachefilesd-gh200.conf").splitlines()
    assert [f"brun {stop + 10}%", f"bcull {stop + 5}%", f"bstop {stop}%"] == settings[2:5]


def test_check_mode_predicts_what_an_automount_lacks_and_then_it_is_cached(client, module):
    before = client.run("md5sum /etc/fstab")
    assert module("/mnt/auto", "--check")[:2] == (True, False)
    assert client.run("md5sum /etc/fstab") == before
    assert module("/mnt/auto")[:2] == (True, True)
    assert "fsc" in client.options("/mnt/auto/.")
    assert_sent(client.read("/mnt/auto/small"), SMALL)
    assert_kept_here(client.read("/mnt/auto/small"))


def test_a_mount_that_had_the_option_before_there_was_a_cache_has_one_now(client):
    assert_sent(client.read("/mnt/own/small"), SMALL)
    assert_kept_here(client.read("/mnt/own/small"))


def test_a_daemon_that_was_killed_comes_back_by_itself(client):
    pid = client.run("systemctl show --property=MainPID --value cachefilesd")
    back = f"[ $(systemctl show --property=MainPID --value cachefilesd) -gt {pid} ]"
    client.run(f"kill -9 {pid}; timeout 60 bash -c 'until {back}; do sleep 1; done'; systemctl is-active cachefilesd")
    assert_kept_here(client.read(f"{SHARE}/large"))


def test_a_daemon_that_is_down_is_found_and_started(client, module):
    client.run("systemctl stop cachefilesd")
    assert_sent(client.read(f"{SHARE}/large"), LARGE)
    assert module(SHARE)[:2] == (True, True)
    client.read(f"{SHARE}/large")
    assert_kept_here(client.read(f"{SHARE}/large"))


def test_a_full_disk_stops_the_cache_and_not_the_reader(client, module):
    client.run(
        "fallocate --length $(( $(df --output=avail --block-size=1M / | tail -n 1) - 300 ))M /root/filler; sleep 2"
    )
    changed, cached, said = module(SHARE)
    assert (changed, cached) == (False, True)
    assert "nothing is added to the cache: what is not in it is read over the network" in said
    first, second = client.read(f"{SHARE}/late"), client.read(f"{SHARE}/late")
    assert_sent(first, LATE)
    assert_sent(second, LATE)
    assert first.digest == second.digest
    client.run("rm /root/filler; sleep 2")
    client.read(f"{SHARE}/late")
    assert_kept_here(client.read(f"{SHARE}/late"))


def test_a_busy_mount_keeps_its_cache_and_is_told_with_who_holds_it(client, module):
    with client.holder(SHARE) as holder:
        said = module(None, state="absent")[2]
        assert f"{SHARE} is in use by process {holder} (sleep, {SHARE}), so it cannot be mounted anew" in said
        # Whoever works there is not disturbed, and no mount is lost.
        client.run(f"kill -0 {holder}")
        assert [path for path in TOGETHER if "fsc" not in client.options(path)] == []


def test_absent_leaves_the_client_as_it_was(client, role):
    changed, failed, said = role("absent")
    assert changed and not failed, said
    assert client.run("diff /root/fstab.before /etc/fstab") == ""
    assert [path for path in (*TOGETHER, "/mnt/auto/.") if "fsc" in client.options(path)] == []
    assert "fsc" in client.options("/mnt/own")
    assert client.changes() == ""
    assert_sent(client.read(f"{SHARE}/late"), LATE)
    assert_sent(client.read(f"{SHARE}/late"), LATE)
    assert role("absent")[:2] == (0, 0)


def test_a_busy_mount_gets_no_cache_and_then_all_comes_again(client, role, module):
    with client.holder(SHARE) as holder:
        failed, said = role("present")[1:]
        assert failed == 1
        assert f"{SHARE} is in use by process {holder} (sleep, {SHARE}), so it cannot be mounted anew" in said
        client.run(f"kill -0 {holder}")
        assert [path for path in TOGETHER if "fsc" in client.options(path)] == []
    assert module(SHARE)[:2] == (True, True)
    assert module(SHARE)[:2] == (False, True)
    client.read(f"{SHARE}/large")
    assert_kept_here(client.read(f"{SHARE}/large"))


def test_after_a_reboot_everything_is_back_and_the_cache_is_warm(client):
    client.read("/mnt/own/small")
    expected = [client.read(path) for path in (f"{SHARE}/large", "/mnt/own/small")]
    client.reboot()
    assert client.run("systemctl is-active cachefilesd; systemctl is-system-running") == "active\nrunning"
    assert "fsc" in client.options(SHARE)
    # Of those that share a superblock the one that was mounted first gives its options to the cache's name: that may be
    # another one than before, and then the first read fills it anew.
    client.read(f"{SHARE}/large")
    again = [client.read(path) for path in (f"{SHARE}/large", "/mnt/own/small")]
    for reading in again:
        assert_kept_here(reading)
    assert [reading.digest for reading in again] == [reading.digest for reading in expected]
