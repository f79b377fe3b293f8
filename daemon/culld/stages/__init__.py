"""The stages of the page, a folder or a file for each word."""
