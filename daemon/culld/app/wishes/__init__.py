"""Wishes of people from the review page: their files, how they are taken into the journal, and how they are done."""
