# SPDX-License-Identifier: GPL-3.0-or-later
"""Key and address: what cannot be one is told in a sentence that has nothing of it."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import access, errors


def test_a_key_is_taken_without_the_space_around_it(tmp_path):
    path = tmp_path / "key"
    path.write_text(" secret_planted.x\r\n", encoding="utf-8")
    assert access.api_key(" secret_planted.x\n") == access.read_api_key(str(path)) == "secret_planted.x"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PLANTED\nx\n", "more than one line"),
        (b"PLANTED\rx", "more than one line"),
        (b"\xef\xbb\xbfPLANTED\n", "byte order mark"),
        (b"\xff\xfeP\0L\0A\0N\0T\0E\0D\0", "not printable ASCII"),
        (b"PLANTED\0", "not printable ASCII"),
        ("PLANTED\u00e9".encode(), "not printable ASCII"),
        (b"Bearer PLANTED", "blanks"),
        (b"PLANTED\tx", "not printable ASCII"),
        (b"PLANTED" * 1000, "longer than 512"),
        (b" \n", "is empty"),
        (b"", "is empty"),
    ],
)
def test_what_cannot_be_sent_as_a_key_is_a_sentence_without_it(tmp_path, content, words):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(errors.CloudError, match=words) as caught:
        access.read_api_key(str(path))
    assert str(path) in str(caught.value) and "PLANTED" not in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(errors.CloudError):
        access.api_key(content.decode("utf-8", errors="replace"))


@pytest.mark.parametrize("path", ["/nonexistent/key", "/", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_sentence(path):
    with pytest.raises(errors.CloudError, match="with the Lambda API key cannot be read"):
        access.read_api_key(path)


def test_a_key_where_a_path_should_be_is_not_shown():
    with pytest.raises(errors.CloudError, match="looks like a key") as caught:
        access.read_api_key("secret_planted.x")
    assert "planted" not in str(caught.value)


def test_an_address_is_taken_without_its_last_slash():
    assert access.api_url("https://cloud.lambda.ai/api/v1/") == "https://cloud.lambda.ai/api/v1"
    assert access.api_url("http://[::1]:8000/api/v1") == "http://[::1]:8000/api/v1"


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:PLANTED@cloud.lambda.ai/api/v1",
        "ada:PLANTED@cloud.lambda.ai",
        "https://cloud.lambda.ai/api/v1?token=PLANTED",
        "https://h/#PLANTED",
        "https://[PLANTED",
        "https://h:PLANTED/",
    ],
)
def test_what_others_must_not_see_is_refused_and_not_shown(text):
    with pytest.raises(errors.CloudError, match=r"^api_url ") as caught:
        access.api_url(text)
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cloud.lambda.ai",
        "ftp://cloud.lambda.ai",
        "https://",
        "https:///api",
        "https://a b/",
        "https://h:0/",
        "https://h\n/",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(errors.CloudError, match=r"api_url is '.*it must begin with https://|api_url is no address"):
        access.api_url(text)
