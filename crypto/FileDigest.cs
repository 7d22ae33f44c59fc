using System;
using System.IO;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>SHA-256 of what a stream holds. Not for the engine: only agents and tools know programs by their hash.</summary>
public static class FileDigest
{
    private const int ChunkSize = 1 << 20;

    /// <summary>In lower-case hexadecimal digits.</summary>
    public static string Sha256(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        IncrementalHash.Initialize(HashAlgorithm.Sha256, out IncrementalHash state);
        byte[] chunk = new byte[ChunkSize];
        for (int count; (count = stream.Read(chunk)) > 0;)
            IncrementalHash.Update(ref state, chunk.AsSpan(0, count));
        return Convert.ToHexStringLower(IncrementalHash.Finalize(ref state));
    }
}
