using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Iced.Intel;
using Xunit;

namespace Overlay.Shim.Tests;

/// <summary>
/// What the helper's thread runs (AheadJob.cs), as it was compiled: nothing that looks behind the thread pointer, where that thread has nothing, and
/// nothing of the runtime's, which does not know the thread.
/// </summary>
public sealed class HelperCodeTests
{
    /// <summary>Ways out of code that finds its own stack or arguments spoilt.</summary>
    private static readonly string[] s_failures = ["RhpFallbackFailFast", "ThrowMinMaxException", "ThrowHelper", "RhpThrowHwEx", "RhpThrowEx"];

    private static string Engine => Path.Combine(Tree.Out, "lib/overlay/liboverlay-engine.so");

    [Fact]
    public void Helper_runs_nothing_that_needs_the_runtime()
    {
        var names = Symbols();
        var text = new DecodedText(Engine);
        var start = names.Single(name => name.Value.EndsWith("_AheadJob__Work", System.StringComparison.Ordinal)).Key;
        HashSet<ulong> seen = [];
        SortedSet<string> called = [];
        List<string> wrong = [];
        Stack<ulong> waiting = new([start]);
        while (waiting.TryPop(out var at))
        {
            for (; seen.Add(at); at = text.Instructions[at].NextIP)
            {
                var instruction = text.Instructions[at];
                if (instruction.SegmentPrefix is Register.FS or Register.GS || instruction.Mnemonic is Mnemonic.Syscall)
                    wrong.Add($"{at:x}: {instruction}");
                if (instruction.FlowControl is FlowControl.Call or FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch)
                {
                    var target = instruction.NearBranchTarget;
                    var name = names.GetValueOrDefault(target);
                    if (instruction.FlowControl is FlowControl.Call && name is not null)
                        called.Add(name);
                    if (name is not null && s_failures.Any(failure => name.Contains(failure, System.StringComparison.Ordinal)))
                        break; // it does not come back
                    if (name is not null && name.StartsWith("Rh", System.StringComparison.Ordinal))
                        wrong.Add($"{at:x}: {instruction} {name}");
                    else
                        waiting.Push(target);
                }
                if (instruction.FlowControl is FlowControl.IndirectCall)
                    called.Add("(by address)");
                if (instruction.FlowControl is FlowControl.IndirectBranch)
                    wrong.Add($"{at:x}: {instruction}");
                if (instruction.FlowControl is FlowControl.Return or FlowControl.UnconditionalBranch or FlowControl.Interrupt or FlowControl.Exception)
                    break;
            }
        }
        Assert.Empty(wrong);
        // The one call by address is libsodium's; and the test has seen what it should.
        Assert.Contains("(by address)", called);
        Assert.Contains(called, name => name.Contains("Lz4Encoder", System.StringComparison.Ordinal));
        Assert.Contains(called, name => name.Contains("PackedPages", System.StringComparison.Ordinal));
    }

    /// <summary>By the names that are kept beside the engine when it is built.</summary>
    private static Dictionary<ulong, string> Symbols()
    {
        Dictionary<ulong, string> names = [];
        foreach (var line in Tree.Run("nm", Path.Combine(Tree.Out, "stage/engine/liboverlay-engine.so.dbg")).Split('\n'))
            if (line.Split(' ') is [var address, "t" or "T" or "i", var name])
                names[ulong.Parse(address, NumberStyles.HexNumber, CultureInfo.InvariantCulture)] = name;
        return names;
    }
}
