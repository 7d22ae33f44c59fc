using System;
using System.Diagnostics;
using System.Globalization;

namespace Overlay.Benchmarks;

/// <summary>Repeats something for a while; the best of several such whiles counts, since what disturbs can only slow down.</summary>
internal static class Measure
{
    private const int Whiles = 5;
    private const double SecondsEach = 0.1;

    /// <summary>Seconds that one <paramref name="step"/> takes.</summary>
    public static double Seconds(Action step)
    {
        double best = double.MaxValue;
        for (int i = 0; i < Whiles + 2; i++) // the first two compile it
        {
            long start = Stopwatch.GetTimestamp();
            long steps = 0;
            double took;
            do
            {
                step();
                steps++;
                took = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            while (took < SecondsEach);
            if (i >= 2)
                best = Math.Min(best, took / steps);
        }
        return best;
    }

    public static void Rate(string row, long bytes, double seconds) => Line(row, "MB/s", bytes / seconds / 1e6);

    public static void Each(string row, int count, double seconds) => Line(row, "us", seconds * 1e6 / count);

    private static void Line(string row, string unit, double value) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row} {unit} {value:F4}"));
}
