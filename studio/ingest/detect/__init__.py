"""What a source is: encoding, format, delimiter, header, shape and the roles of its columns."""
