"""What can be wrong with a request to import, and with a picture."""

from protozoo.exceptions import ProtoZooError


class ImportRequestError(ProtoZooError):
    """The import cannot begin; the sentence says which option or file is wrong."""

    code = "import_request"


class ImportBusyError(ProtoZooError):
    """Another import is writing into the same survey."""

    code = "import_busy"
    status = 409


class ImportStorageError(ProtoZooError):
    """The survey's pixels on the disk cannot be read or written; nothing imported is lost."""

    code = "import_storage"
    status = 500


class PictureRequestError(ProtoZooError):
    """The address asks for a size or stretch that there is not."""

    code = "picture_request"


class PictureMissingError(ProtoZooError):
    """The database knows the thing, but its pixels are not there."""

    code = "picture_missing"
    status = 404
