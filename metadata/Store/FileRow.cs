using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Store;

/// <summary>What the store knows of one file.</summary>
public sealed record FileRow(
    ReadOnlyMemory<byte> FileId, ReadOnlyMemory<byte> WrappedKey, int KeyVersion, CipherSuite Suite, int BlockSizeLog2,
    DateTimeOffset Created, FileState State, string Path);
