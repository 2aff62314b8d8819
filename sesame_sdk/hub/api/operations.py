"""What OpenAPI cannot see in a handler that reads its body by itself."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema


def taking(media_type: str, description: str, schema: Schema | None = None) -> type[Operation]:
    """An operation with a body of this media type; a string of it unless `schema` says otherwise."""
    told = OpenAPIMediaType(schema=schema or Schema(type=OpenAPIType.STRING))

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(
                content={media_type: told}, description=description, required=True
            )

    return WithBody
