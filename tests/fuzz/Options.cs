using System;
using System.Globalization;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Overlay.Fuzz;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    /// <summary>Of all targets together; used where no iterations are given.</summary>
    public TimeSpan Time { get; private init; } = TimeSpan.FromSeconds(50);

    /// <summary>For each target, times its <see cref="Target.Percent"/>.</summary>
    public long? Iterations { get; private init; }

    public int Seed { get; private init; } = 1;

    public string? Target { get; private init; }

    public string? Input { get; private init; }

    /// <summary>Where corpus and findings are kept.</summary>
    public string Directory { get; private init; } = ".";

    public string Control { get; private init; } = "";

    /// <summary>"run" or "seeds": <see cref="Fuzz.Guided"/>.</summary>
    public string? Guided { get; private init; }

    public static Options Parse(string[] arguments)
    {
        Options options = new();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{arguments[i]} needs a value");
            options = arguments[i] switch
            {
                "--minutes" => options with { Time = TimeSpan.FromMinutes(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--iterations" => options with { Iterations = long.Parse(value, CultureInfo.InvariantCulture) },
                "--seed" => options with { Seed = int.Parse(value, CultureInfo.InvariantCulture) },
                "--target" => options with { Target = value },
                "--input" => options with { Input = value },
                "--directory" => options with { Directory = value },
                "--guided" => options with { Guided = value },
                "--control" => options with { Control = value },
                _ => throw new ArgumentException($"unknown option {arguments[i]}"),
            };
        }
        return options;
    }
}
