"""The base of the sections of the configuration, and the types of fields that several sections use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic_core import core_schema

from culld.config import types

if TYPE_CHECKING:
    from pydantic import ValidatorFunctionWrapHandler
    from pydantic_core import CoreSchema


class Section(BaseModel):
    """A mapping of the file; an empty one means the same as a missing one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


# By the type of the value: None and a PrecisionTarget are not of the type that validates the others.
_AS_IT_IS = core_schema.plain_serializer_function_ser_schema(lambda value: value)


@dataclass(frozen=True, slots=True)
class OrWord:
    """Allows a word beside the values of a field `T | None`; the word is None, and an empty value stays an error."""

    word: str

    @property
    def alternative(self) -> str:
        """What messages offer beside the values of the type."""
        return self.word

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate the word first, then the type without None."""
        inner = handler(source)
        required = inner["schema"] if inner["type"] == "nullable" else inner
        return core_schema.no_info_wrap_validator_function(self._read, required, serialization=_AS_IT_IS)

    def _read(self, value: object, inner: ValidatorFunctionWrapHandler) -> object:
        return None if value == self.word else inner(value)


@dataclass(frozen=True, slots=True)
class PrecisionTarget:
    """A threshold by its meaning: of the photos that reach it, this share (0..1) has the defect."""

    precision: float


@dataclass(frozen=True, slots=True)
class OrPrecision:
    """Allows `{precision: NUMBER}` beside a probability; it becomes a `PrecisionTarget`."""

    alternative: ClassVar = "by meaning: {precision: 0.995}"

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read both numbers as a `Probability`."""
        inner = handler.generate_schema(Probability)
        return core_schema.no_info_wrap_validator_function(self._read, inner, serialization=_AS_IT_IS)

    def _read(self, value: object, inner: ValidatorFunctionWrapHandler) -> float | PrecisionTarget:
        if isinstance(value, dict) and set(value) == {"precision"}:
            return PrecisionTarget(inner(value["precision"]))
        number: float = inner(value)
        return number


def _path_base(info: ValidationInfo) -> types.PathBase:
    if not isinstance(info.context, types.PathBase):
        raise TypeError("a Config is made by load_config, which gives the base of relative paths")
    return info.context


def _folder(value: object, info: ValidationInfo) -> Path:
    return types.path(value, _path_base(info))


def _state(value: object, info: ValidationInfo) -> Path:
    return types.state(value, _path_base(info))


# A description is what messages say may be written; for whole numbers, choices and booleans they derive it.
_A_PROBABILITY = "a number from 0 to 1, such as 0.97"

Folder = Annotated[Path, BeforeValidator(_folder)]
State = Annotated[Path, BeforeValidator(_state)]
AutoOrFolder = Annotated[Path | None, BeforeValidator(_folder), OrWord(types.AUTO)]
Probability = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False, description=_A_PROBABILITY)]
Reject = Annotated[
    float | PrecisionTarget | None, OrPrecision(), OrWord(types.NEVER), Field(description=_A_PROBABILITY)
]
