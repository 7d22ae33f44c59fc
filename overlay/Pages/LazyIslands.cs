using System.Threading;

namespace Overlay.Pages;

/// <summary>
/// The kernel lets a process have some 65,000 mappings (vm.max_map_count), and each filled piece with unfilled neighbours is one. Where there
/// are many, more is filled at a time, so that pieces grow together.
/// </summary>
internal static class LazyIslands
{
    internal const int Many = 6000, VeryMany = 12000;
    private const int Wide = 16, VeryWide = 256;

    private static int s_count;

    internal static bool AreMany => Volatile.Read(ref s_count) >= Many;

    /// <summary>How many more there are when these units become reachable. (What a program stores to may keep pieces apart that meet.)</summary>
    internal static int Added(LazyPages pages, long first, long last)
    {
        bool isAfterOne = first > 0 && pages.IsFilled(first - 1), isBeforeOne = last < pages.Units && pages.IsFilled(last);
        return 1 - (isAfterOne ? 1 : 0) - (isBeforeOne ? 1 : 0);
    }

    internal static void Change(int by) => Interlocked.Add(ref s_count, by);

    /// <summary>What to fill in place of the units from <paramref name="first"/> to before <paramref name="last"/>.</summary>
    internal static (long First, long Last) Widen(long first, long last, long units, int count)
    {
        if (count < Many)
            return (first, last);
        int width = count < VeryMany ? Wide : VeryWide;
        long from = first & -width;
        return (from, long.Min(long.Max(last, from + width), units));
    }

    internal static (long First, long Last) Widen(long first, long last, long units) => Widen(first, last, units, Volatile.Read(ref s_count));
}
