using System;

namespace Overlay.Metadata.Protocol;

/// <summary>Gets a file's id (16 bytes) and key (32 bytes), which are gone when it returns.</summary>
public delegate void KeyTaker(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key);
