"""Makes the sample show's raw recordings from its written text: voices by Kokoro, music by arithmetic."""
