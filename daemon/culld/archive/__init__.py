"""Archives: the scores of millions of photos as Parquet, made by Ray actors."""
