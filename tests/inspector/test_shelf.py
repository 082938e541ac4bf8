from respool.inspector.outline import Branch, Face, Kind, Row
from respool.inspector.shelf import MAX_STORIES, Shelf
from respool.inspector.stories import Story


def story(number):
    name = f"thread_{number}"
    return Story(Branch(Row(Kind.THREAD, name), Face(name)), {})


def test_the_story_that_was_asked_for_longest_ago_goes_first():
    shelf = Shelf()
    for number in range(MAX_STORIES):
        assert shelf.put(story(number)) is None
    assert shelf.get("thread_0") is not None
    assert shelf.put(story(99)) == Row(Kind.THREAD, "thread_1")
    assert len(shelf) == MAX_STORIES
    assert shelf.get("thread_1") is None
    assert shelf.get("thread_0") is not None


def test_a_story_that_is_put_again_replaces_the_old_one():
    shelf, again = Shelf(), story(1)
    shelf.put(story(1))
    assert shelf.put(again) is None
    assert shelf.get("thread_1") is again
    shelf.forget("thread_1")
    shelf.forget("thread_1")
    assert len(shelf) == 0
