using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;

namespace Overlay.Fuzz;

/// <summary>One target: its corpus, its seeds, then inputs that are made, until its share of the time or of the executions is used.</summary>
internal sealed class Session(Target target, Options options)
{
    private const int TotalShare = 15, GreatestFindings = 5;

    private long _executions;
    private int _findings;

    /// <returns>False: something was found.</returns>
    public bool Go()
    {
        Stopwatch clock = Stopwatch.StartNew();
        if (options.Input is not null)
        {
            Execute(File.ReadAllBytes(options.Input), options.Input);
        }
        else
        {
            Replay();
            Explore(clock);
            Finish();
        }
        string rate = (_executions / Math.Max(0.001, clock.Elapsed.TotalSeconds)).ToString("N0", CultureInfo.InvariantCulture);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(_findings == 0 ? "ok" : "FAIL")} {target.Name}: {_executions:N0} executions, {rate} a second, seed {options.Seed}"));
        return _findings == 0;
    }

    private void Replay()
    {
        string corpus = Path.Combine(options.Directory, "corpus", target.Name);
        if (Directory.Exists(corpus))
            foreach (string path in Directory.GetFiles(corpus))
                Execute(File.ReadAllBytes(path), path);
        foreach (byte[] seed in target.Seeds)
            Execute((byte[])seed.Clone(), "seed");
    }

    private void Explore(Stopwatch clock)
    {
        long wanted = options.Iterations is long given ? Math.Max(1, (long)(given * target.Percent / 100)) : long.MaxValue;
        TimeSpan time = options.Target is null ? options.Time * target.Share / TotalShare : options.Time;
        for (long number = 0; number < wanted && _findings < GreatestFindings; number++)
        {
            if (options.Iterations is null && clock.Elapsed > time)
                break;
            // Each input can be made again by itself.
            byte[] input = target.Make(new Mutator(HashCode(options.Seed, number)));
            Execute(input, string.Create(CultureInfo.InvariantCulture, $"{options.Seed}-{number}"));
        }
    }

    private void Finish()
    {
        try
        {
            target.Finish();
        }
        catch (Exception exception)
        {
            _findings++;
            Console.WriteLine($"FOUND {target.Name}, at its end: {exception}");
        }
    }

    private void Execute(byte[] input, string name)
    {
        _executions++;
        string? finding = Program.Execute(target, input, name);
        if (finding is null)
            return;
        _findings++;
        string kept = options.Input ?? Path.Combine(Directory.CreateDirectory(Path.Combine(options.Directory, "findings")).FullName, $"{target.Name}-{Path.GetFileName(name)}");
        if (options.Input is null)
            File.WriteAllBytes(kept, input);
        Console.WriteLine($"FOUND {target.Name} {name} (kept as {kept}): {finding}");
    }

    /// <summary>The same in every process, unlike System.HashCode.</summary>
    private static int HashCode(int seed, long number)
    {
        ulong mixed = ((ulong)(uint)seed << 40 ^ (ulong)number) * 0x9E3779B97F4A7C15;
        mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9;
        return (int)(mixed ^ mixed >> 32);
    }
}
