"""From raw recordings to published audio. FFmpeg processes long files as streams; pydub handles short clips in memory."""
