"""Publishing: a pure upload plan, and the folder or bucket it is carried out on."""
