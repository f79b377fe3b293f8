"""The stage `group`: puts together the files of one shot, and the shots of one series."""
