using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using SharpFuzz;
using SharpFuzz.Common;

namespace Overlay.Fuzz;

/// <summary>
/// One target under afl-fuzz, which makes the inputs and is told, by assemblies that SharpFuzz has instrumented, what code each of them
/// reached. <c>--guided seeds --input DIRECTORY</c> writes what it begins with: the target's seeds, and its corpus.
/// </summary>
internal static class Guided
{
    private const int MapSize = 1 << 16;

    /// <summary>Instrumented code needs its map from the start, not only once afl-fuzz has given it one.</summary>
    public static unsafe void Prepare() => Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(MapSize);

    public static int Run(IEnumerable<Func<Target>> targets, Options options)
    {
        Target target = Choose(targets, options.Target ?? "");
        if (options.Guided == "seeds")
            WriteSeeds(target, options);
        else
            Fuzzer.Run(stream => Execute(target, stream));
        (target as IDisposable)?.Dispose();
        return 0;
    }

    private static Target Choose(IEnumerable<Func<Target>> targets, string name)
    {
        foreach (Func<Target> make in targets)
        {
            Target target = make();
            if (target.Name == name)
                return target;
            (target as IDisposable)?.Dispose();
        }
        throw new ArgumentException($"there is no target {name}");
    }

    private static void Execute(Target target, Stream stream)
    {
        // afl-fuzz takes an input that reaches nothing at all for a program that was not instrumented.
        _ = CipherSuites.IsKnown(0);
        using MemoryStream input = new();
        stream.CopyTo(input);
        if (Program.Execute(target, input.ToArray(), "afl") is string finding)
            throw new FindingException(finding);
    }

    private static void WriteSeeds(Target target, Options options)
    {
        string corpus = Path.Combine(options.Directory, "corpus", target.Name);
        IEnumerable<byte[]> known = Directory.Exists(corpus) ? Directory.GetFiles(corpus).Select(File.ReadAllBytes) : [];
        // Some of the plain mutator's beside them: targets with a structure know it there.
        IEnumerable<byte[]> made = Enumerable.Range(0, 40).Select(number => target.Make(new Mutator(number)));
        int count = 0;
        foreach (byte[] seed in target.Seeds.Concat(known).Concat(made).Where(seed => seed.Length > 0))
            File.WriteAllBytes(Path.Combine(options.Input!, (count++).ToString(CultureInfo.InvariantCulture)), seed);
    }
}
