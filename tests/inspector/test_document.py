from respool.inspector.document import MAX_TEXT, Document, Line, plain


def test_sentences_are_lines_without_what_a_terminal_would_obey():
    document = plain("one \x1b[31m", "", "two", title="A title")
    assert [line.text for line in document.lines] == ["A title", "", "one \\x1b[31m", "two"]
    assert document.lines[0].spans == (("A title", "bad"),)


def test_a_sentence_is_capped():
    (line,) = plain("x" * (MAX_TEXT * 2)).lines
    assert len(line.text) == MAX_TEXT


def test_a_line_is_its_spans():
    assert Line(2, (("a", "bad"), ("b", ""))).text == "ab"
    assert Document().lines == ()
