using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Store;

/// <summary>What the store knows of one file.</summary>
public sealed record FileRow(
    ReadOnlyMemory<byte> FileId, ReadOnlyMemory<byte> WrappedKey, int KeyVersion, CipherSuite Suite, int BlockSizeLog2,
    DateTimeOffset Created, FileState State, string Path)
{
    /// <summary>The highest sequence of the file's header that the agent was told of; 0: of none.</summary>
    public ulong Sequence { get; init; }

    /// <summary>How often its key was replaced.</summary>
    public long KeyEpoch { get; init; }

    /// <summary>Boot word of who told it.</summary>
    public uint BootWord { get; init; }
}
