"""A recording that refers to other files and URLs: none is opened, whatever its name and extension."""

import socket
import struct

import pytest

from pipeline.audio.analysis import analyse
from pipeline.audio.probe import probe_file
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import convert, speech_like_noise, write

LISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{url}\n#EXT-X-ENDLIST\n",
    "pls": "[playlist]\nNumberOfEntries=1\nFile1={url}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"><Period>'
    '<AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet>'
    "</Period></MPD>",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{url}</Id></CompositionPlaylist>',
    "cue": 'FILE "{url}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "smil": '<smil><body><audio src="{url}"/></body></smil>',
    "srt": "1\n00:00:00,000 --> 00:00:04,000\n{url}\n",
    "asx": '<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
    "ram": "{url}\n",
    "rtsp": "rtsptext{url}\n",
    "ref": "[Reference]\nRef1={url}\n",
    "vpy": "AviSource('{url}')\n",
    "avs": 'WavSource("{url}")\n',
}


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """A valid recording whose audio must never appear in the output for another file."""
    return write(tmp_path_factory.mktemp("canary") / "canary.wav", speech_like_noise(2))


@pytest.fixture
def server():
    """A URL that must never be requested."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("ending", ["wav", "mp3", ""])
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_opens_nothing(canary, server, tmp_path, kind, ending):
    port = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/a.mp3", canary.name):
        path = canary.with_name(f"list.{ending or kind}")
        path.write_text(LISTS[kind].format(url=url, port=port))
        with pytest.raises(CauserieError, match="not a recording"):
            probe_file(path)


def boxed(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


def changed(content, path, change):
    """An MP4 whose box at a path of kinds is changed; the boxes around it follow."""
    at, out = 0, b""
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        inside = content[at + 8 : at + length]
        out += boxed(kind, (changed(inside, path[1:], change) if path[1:] else change(inside)) if kind == path[0] else inside)
        at += length
    return out


def alias(target):
    """A data reference to another file, as QuickTime for Macintosh writes it."""
    name = str(target).encode()
    name += b"\0" * (len(name) % 2)
    head = (
        bytes(10) + b"\x01x" + bytes(26) + bytes(12) + b"\x0acanary.wav".ljust(64, b"\0") + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    )
    return boxed(b"alis", bytes(4) + head + struct.pack(">HH", 2, len(name)) + name + struct.pack(">HH", 0xFFFF, 0) + bytes(40))


@pytest.mark.parametrize("kind", ["alis", "url"])
def test_an_mp4_whose_sound_is_in_another_file_is_refused(canary, server, tmp_path, kind):
    url = f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4".encode()
    entry = alias(canary) if kind == "alis" else boxed(b"url ", bytes(4) + url + b"\0")
    plain = convert(canary, canary.with_name("plain.mov"), "-c:a", "pcm_s24le").read_bytes()
    to_dref = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"]
    path = canary.with_name(f"{kind}.mov")
    path.write_bytes(changed(plain, to_dref, lambda _: struct.pack(">II", 0, 1) + entry))
    silenced = plain.replace(
        plain[plain.index(b"mdat") + 4 : plain.index(b"moov") - 4], bytes(plain.index(b"moov") - plain.index(b"mdat") - 8)
    )
    path.write_bytes(changed(silenced, to_dref, lambda _: struct.pack(">II", 0, 1) + entry))
    try:
        assert analyse(path, (), 44_100, 1).profile.peak == 0.0  # its own zeros, never the canary's sound
    except CauserieError as error:
        assert error.where == str(path)


def test_links_in_tags_are_not_followed(canary, server):
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    frame = b"\0" + b"\0" + url.encode()
    tag = b"".join(kind + struct.pack(">I", len(frame)) + b"\0\0" + frame for kind in (b"WXXX", b"WOAF", b"APIC", b"LINK"))
    sound = convert(canary, canary.with_name("a.mp3"), "-id3v2_version", "0").read_bytes()
    path = canary.with_name("linked.mp3")
    path.write_bytes(b"ID3\x03\0\0" + bytes(len(tag) >> shift & 127 for shift in (21, 14, 7, 0)) + tag + sound)
    assert probe_file(path).duration_s == pytest.approx(2.0, abs=0.05)
    tagged = convert(canary, canary.with_name("a.ogg"), "-metadata", f"CHAPTER001URL={url}", "-metadata", f"WEBSITE={url}")
    assert probe_file(tagged).duration_s == pytest.approx(2.0, abs=0.05)


def test_a_matroska_that_asks_for_the_file_before_it_is_read_alone(canary, server):
    names = ("SegmentFilename", "PrevFilename", "NextFilename")
    tags = [part for name in names for part in ("-metadata", f"{name}={canary}")]
    attached = ("-attach", str(write(canary.with_name("small.wav"), speech_like_noise(0.1))), "-metadata:s:t", "mimetype=audio/x-wav")
    found = probe_file(convert(canary, canary.with_name("linked.mka"), *tags, *attached))
    assert (found.duration_s, found.stream_count) == (2.0, 1)
