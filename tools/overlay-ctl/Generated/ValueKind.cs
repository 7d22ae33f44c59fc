namespace Overlay.Ctl.Generated;

/// <summary>What a shell can offer for a value.</summary>
internal enum ValueKind
{
    /// <summary>There is no value: a flag.</summary>
    Flag,

    /// <summary>Nobody can guess it: a number, a pattern, a label.</summary>
    Free,
    File,
    Directory,
    Command,

    /// <summary>One of some words.</summary>
    Words,
}
