"""Files, as far as messages and assistants need them: upload, list, get, content, delete."""

from .calls import Answer, Call
from .errors import ApiError
from .store import StoredFile

PURPOSES = ("assistants", "vision", "batch", "fine-tune", "user_data", "evals")


def create_file(call: Call) -> Answer:
    upload = call.upload
    if upload is None:
        raise ApiError(400, "Missing required parameter: 'file'.", param="file", code="missing_required_parameter")
    purpose = upload.fields.get("purpose")
    if purpose is None:
        message = "Missing required parameter: 'purpose'."
        raise ApiError(400, message, param="purpose", code="missing_required_parameter")
    if purpose not in PURPOSES:
        message = f"Invalid value: '{purpose[:60]}'. Supported values are: {', '.join(PURPOSES)}."
        raise ApiError(400, message, param="purpose", code="invalid_value")
    store = call.sandbox.store
    store.make_room(objects=1, size=len(upload.content))
    file = StoredFile(
        id=call.sandbox.names.next("file-"),
        created_at=int(call.at.stamp),
        filename=upload.filename,
        purpose=purpose,
        content=upload.content,
        content_type=upload.content_type,
    )
    store.files[file.id] = file
    return Answer(call.shape.file(file))


def list_files(call: Call) -> Answer:
    """All files, or those of one `purpose`."""
    purpose = call.query.get("purpose")
    files = [file for file in call.sandbox.store.files.values() if purpose in (None, file.purpose)]
    return call.page(files, "file", lambda file: file.id, call.shape.file, most=10_000, usual=10_000)


def get_file(call: Call) -> Answer:
    return Answer(call.shape.file(call.sandbox.store.find_file(call.ids["file_id"])))


def get_file_content(call: Call) -> Answer:
    file = call.sandbox.store.find_file(call.ids["file_id"])
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Answer(content=file.content, content_type="application/octet-stream", headers=headers)


def delete_file(call: Call) -> Answer:
    file = call.sandbox.store.find_file(call.ids["file_id"])
    del call.sandbox.store.files[file.id]
    call.sandbox.store.give_back(objects=1, size=len(file.content))
    return Answer({"id": file.id, "object": "file", "deleted": True})
