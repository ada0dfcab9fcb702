# SPDX-License-Identifier: GPL-3.0-or-later
"""Python 3.11 with what building and environments need."""


def test_interpreter_is_a_release(host):
    found = host.check_output(
        "/usr/bin/python3.11 -c 'import sys; print(sys.version_info[:2], sys.version_info.releaselevel)'"
    )
    assert found == "(3, 11) final"


def test_headers_compile(host):
    source = "'#include <Python.h>\\nint main(void) { return PY_MINOR_VERSION == 11 ? 0 : 1; }'"
    assert (
        host.run(f"cd $(mktemp -d) && printf {source} > t.c && gcc $(python3.11-config --includes) t.c -o t && ./t").rc
        == 0
    )


def test_environments_have_pip(host):
    assert host.run("folder=$(mktemp -d) && /usr/bin/python3.11 -m venv $folder && $folder/bin/pip --version").rc == 0


def test_apt_takes_the_archive_with_its_key(host):
    only = (
        "-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$folder -o "
        "APT::Get::List-Cleanup=false -o APT::Update::Error-Mode=any"
    )
    update = host.run(
        f"folder=$(mktemp -d) && cp /etc/apt/sources.list.d/molecule.sources $folder && apt-get update {only}"
    )
    assert update.rc == 0, update.stderr
    assert "test InRelease" in update.stdout


def test_the_unpacked_one_is_its_own(host):
    python = "/opt/molecule/python/bin/python3.11"
    assert host.check_output(f"{python} -c 'import sys; print(sys.prefix)'") == "/opt/molecule/python"
    assert host.check_output(f"{python} -c 'import ssl, sqlite3, ctypes; print(ssl.OPENSSL_VERSION_INFO[0])'") == "3"
    assert host.check_output("ls -A /opt/molecule") == "python"
