using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace Overlay.Fuzz;

/// <summary>
/// overlay-fuzz [--minutes N | --iterations N] [--seed S] [--target NAME] [--input FILE]: replays the corpus, then makes inputs. Everything follows
/// from the seed. --guided run|seeds is for guided.sh. A finding is kept as findings/TARGET-SEED-NUMBER; --input runs one again. Ends with "N passed, N failed".
/// </summary>
internal static class Program
{
    private const int HangSeconds = 60;
    private const long GreatestAllocation = 256L << 20;

    private static string s_what = "";
    private static long s_since;

    private static int Main(string[] arguments)
    {
        Guided.Prepare();
        Options options = Options.Parse(arguments);
        if (options.Guided is not null)
            return Guided.Run(Targets(options), options);
        new Thread(Watch) { IsBackground = true }.Start();
        int passed = 0, failed = 0;
        foreach (Func<Target> make in Targets(options))
        {
            s_what = "preparing a target";
            s_since = Environment.TickCount64;
            Target target = make();
            if (options.Target is null || options.Target == target.Name)
            {
                if (new Session(target, options).Go())
                    passed++;
                else
                    failed++;
            }
            (target as IDisposable)?.Dispose();
        }
        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static IEnumerable<Func<Target>> Targets(Options options)
    {
        yield return () => new HeaderTarget();
        yield return () => new IndexTarget();
        yield return () => new ExpansionTarget();
        yield return () => new FileTarget();
        yield return () => new ConfigTarget();
        yield return () => new PolicyTarget();
        yield return () => new PacketTarget();
        yield return () => new AgentTarget();
        yield return () => new StoreTarget();
        if (File.Exists(options.Control))
            yield return () => new CommandLineTarget(options.Control);
        else
            Console.WriteLine("skip command-line (no built overlay-ctl)");
    }

    /// <summary>Runs an input of a target; null: well, else what was found.</summary>
    internal static string? Execute(Target target, byte[] input, string name)
    {
        s_what = $"{target.Name}: {name}";
        Volatile.Write(ref s_since, Environment.TickCount64);
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Run(input);
        }
        catch (Exception exception)
        {
            return exception is FindingException ? exception.Message : exception.ToString();
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated > GreatestAllocation ? $"{allocated} bytes were allocated" : null;
    }

    private static void Watch()
    {
        for (; ; Thread.Sleep(1000))
        {
            if (Volatile.Read(ref s_since) is long since && since != 0 && Environment.TickCount64 - since > HangSeconds * 1000)
                Environment.FailFast($"no end after {HangSeconds} seconds: {s_what}");
        }
    }
}
