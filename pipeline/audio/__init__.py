"""Recordings to published audio: FFmpeg does what is long, pydub what is clip-sized."""
