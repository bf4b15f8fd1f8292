"""The strict reader is strict: each rule of the grammar that can be broken, broken once."""

import pytest

from tests.support.webvtt_strict import Cue, WebVTTSyntaxError, read

CUE = "00:01.000 --> 00:02.000\n"


def test_what_the_grammar_allows_is_read():
    text = (
        "\ufeffWEBVTT titre\r\n\r\nNOTE rien\r\n\r\nun\r\n01:00:00.000 --> 01:00:02.500 align:start line:0\r\n"
        "<v.récit.b A&amp;B>Un <c.son>[x]</c>\r\n&lt;deux&gt; <i><b>3</b></i>\r\n"
    )
    assert read(text.encode()) == (Cue(3600.0, 3602.5, "A&B", "récit.b", ("Un [x]", "<deux> 3"), ("son",)),)


@pytest.mark.parametrize(
    "text",
    [
        "WEBVT\n\n",
        "WEBVTT\n" + CUE + "a\n",
        "WEBVTT\n\n" + CUE + "a",
        "WEBVTT\n\n" + CUE,
        "WEBVTT\n\n00:01,000 --> 00:02.000\na\n",
        "WEBVTT\n\n00:01.00 --> 00:02.000\na\n",
        "WEBVTT\n\n0:00:01.000 --> 00:02.000\na\n",
        "WEBVTT\n\n00:61.000 --> 01:02.000\na\n",
        "WEBVTT\n\n00:01.000-->00:02.000\na\n",
        "WEBVTT\n\n00:02.000 --> 00:02.000\na\n",
        "WEBVTT\n\n00:03.000 --> 00:04.000\na\n\n" + CUE + "b\n",
        "WEBVTT\n\n00:01.000 --> 00:02.000 align:milieu\na\n",
        "WEBVTT\n\n" + CUE + "a --> b\n",
        "WEBVTT\n\n" + CUE + "a & b\n",
        "WEBVTT\n\n" + CUE + "a &truc; b\n",
        "WEBVTT\n\n" + CUE + "a < b\n",
        "WEBVTT\n\n" + CUE + "a > b\n",
        "WEBVTT\n\n" + CUE + "<v>a\n",
        "WEBVTT\n\n" + CUE + "<v A&B>a\n",
        "WEBVTT\n\n" + CUE + "<i>a\n",
        "WEBVTT\n\n" + CUE + "<i><b>a</i></b>\n",
        "WEBVTT\n\n" + CUE + "<font>a</font>\n",
        "WEBVTT\n\n" + CUE + "a <v A>b\n",
        "WEBVTT\n\n" + CUE + "<v A>a\n<v B>b\n",
        "WEBVTT\n\n" + CUE + "<rt>a</rt>\n",
        "WEBVTT\n\n" + CUE + "<00:03.000>a\n",
        "WEBVTT\n\n" + CUE + "a\0\n",
        "WEBVTT\n\n" + CUE + "a\n\nSTYLE\n::cue {}\n",
    ],
)
def test_what_the_grammar_forbids_is_refused(text):
    with pytest.raises(WebVTTSyntaxError):
        read(text.encode())
