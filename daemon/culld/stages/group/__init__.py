"""The stage `group`: files of one shot, and shots of one series."""
