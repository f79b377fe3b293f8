"""The use cases of the review page; they read the journal and the photos, and change neither."""
