using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Store;

/// <summary>The volume that a store belongs to.</summary>
public sealed record VolumeRow(
    ReadOnlyMemory<byte> Id, int Format, CipherSuite Suite, bool Compress, int BlockSizeLog2, DateTimeOffset Created,
    int KeyVersion);
