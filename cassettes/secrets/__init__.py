"""What a secret looks like, where it stands, and what is put in its place: the rules that every recording goes through."""
