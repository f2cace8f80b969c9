"""Changing rows: by hand in the table, by find and replace, by changed copies."""
