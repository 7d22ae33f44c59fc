using System;
using System.Diagnostics;
using Overlay.Crypto;

namespace Overlay.Metadata.Volumes;

/// <summary>What one guess of a passphrase costs: Argon2id with this memory and this many passes.</summary>
public sealed record PassphraseCost(int MemoryKiB, int Iterations)
{
    // Nothing below or above is believed of a store: the one would be too cheap, the other would hang whoever opens it.
    internal const int LeastMemoryKiB = 8, MostMemoryKiB = 4 * 1024 * 1024, MostIterations = 4096;

    // RFC 9106, second recommended choice: 64 MiB and 3 passes are the least we choose ourselves.
    private const int ChosenMemoryKiB = 64 * 1024, LeastChosenIterations = 3, MostChosenIterations = 64;
    private const double TargetMilliseconds = 500;

    internal bool IsInRange => MemoryKiB is >= LeastMemoryKiB and <= MostMemoryKiB && Iterations is >= 1 and <= MostIterations;

    /// <summary>The cost that takes about half a second here.</summary>
    public static PassphraseCost Calibrate()
    {
        Span<byte> salt = stackalloc byte[16];
        Span<byte> key = stackalloc byte[32];
        Stopwatch watch = Stopwatch.StartNew();
        PassphraseKdf.Derive("measuring"u8, salt, ChosenMemoryKiB, LeastChosenIterations, key);
        double perIteration = watch.Elapsed.TotalMilliseconds / LeastChosenIterations;
        double iterations = Math.Clamp(TargetMilliseconds / perIteration, LeastChosenIterations, MostChosenIterations);
        return new PassphraseCost(ChosenMemoryKiB, (int)iterations);
    }
}
