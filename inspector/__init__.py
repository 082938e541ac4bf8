"""What a person looks at: the Textual application over a cassette."""
