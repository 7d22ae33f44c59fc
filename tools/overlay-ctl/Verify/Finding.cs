namespace Overlay.Ctl.Verify;

/// <summary>How much a finding counts.</summary>
internal enum Weight
{
    /// <summary>Nothing is wrong: something can be tidied up, or was to be expected after a deletion or a power loss.</summary>
    Note,

    /// <summary>Something could not be looked at.</summary>
    Unchecked,

    /// <summary>Something is not as Overlay left it.</summary>
    Finding,
}

/// <summary>One line of what verify says. <see cref="Kind"/> and the members' names are a stable interface.</summary>
/// <param name="Path">Relative to the volume; "" for the volume itself.</param>
internal sealed record Finding(Kind Kind, string Path, string Cause)
{
    /// <summary>-1: does not apply; so with the others.</summary>
    internal long Block { get; init; } = -1;

    internal long Offset { get; init; } = -1;

    internal long Length { get; init; } = -1;

    internal long StoredOffset { get; init; } = -1;

    internal Weight Weight => Kind.Weight;
}
