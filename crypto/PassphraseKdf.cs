using System;
using NSec.Cryptography;

namespace Overlay.Crypto;

/// <summary>A key from a passphrase: Argon2id (RFC 9106), one lane.</summary>
public static class PassphraseKdf
{
    public const int SaltSize = 16;

    /// <param name="memoryKiB">Memory in KiB, at least 8.</param>
    /// <param name="iterations">Passes over the memory, at least 1.</param>
    public static void Derive(ReadOnlySpan<byte> passphraseUtf8, ReadOnlySpan<byte> salt, int memoryKiB, int iterations, Span<byte> key)
    {
        Argon2Parameters parameters = new() { DegreeOfParallelism = 1, MemorySize = memoryKiB, NumberOfPasses = iterations };
        PasswordBasedKeyDerivationAlgorithm.Argon2id(parameters).DeriveBytes(passphraseUtf8, salt, key);
    }
}
