namespace Overlay.Files;

/// <summary>One thing that is wrong with a file, found by <see cref="SealedFile.Survey(System.Action{FileDamage})"/>.</summary>
/// <param name="Block">Its number; -1: the record of <paramref name="Group"/>, and so the group with all groups below it.</param>
/// <param name="PlainOffset">Where the bytes that cannot be read begin in the file, as programs see it.</param>
/// <param name="PlainLength">How many there are at most; below a damaged record they need not be in one piece.</param>
/// <param name="StoredOffset">Where the damaged part lies in the backing file.</param>
public readonly record struct FileDamage(long Group, long Block, long PlainOffset, long PlainLength, long StoredOffset, string Cause);
