"""The editable transcript, its alignment with the audio, and the formats it is published in."""
