"""The tags of photos: reading metadata, and computing the byte edits that write keywords; no file is opened here."""
