namespace Overlay.Metadata.Protocol;

/// <summary>How far a file has come.</summary>
/// <param name="FileId">16 bytes.</param>
/// <param name="Sequence">Of its header (format §4): it only grows.</param>
/// <param name="Seals">How often its key has sealed since that was last told.</param>
public readonly record struct FileSequence(byte[] FileId, ulong Sequence, uint Seals = 0);
