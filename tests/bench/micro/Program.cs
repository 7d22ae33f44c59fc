using System;
using System.IO;
using Overlay.Crypto;

namespace Overlay.Benchmarks;

/// <summary>
/// overlay-benchmarks TEXT RANDOM: the parts of Overlay in memory, on one core; lines "ROW UNIT VALUE". The codec's rates are what
/// sequential reading and writing of the same data are measured against.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments.Length != 2)
            return 2;
        foreach (string path in arguments)
            foreach (CipherSuite suite in Enum.GetValues<CipherSuite>())
                foreach (bool compresses in new[] { true, false })
                    new CodecBenchmark(suite, compresses, File.ReadAllBytes(path)).Run($"{Path.GetFileName(path)}-{suite.Name()}-{(compresses ? "lz4" : "none")}");
        PartBenchmarks.Entries();
        PartBenchmarks.CacheHit();
        PartBenchmarks.AgentRoundTrip();
        return 0;
    }
}
