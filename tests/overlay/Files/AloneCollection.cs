using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Tests of what all files of a process share (<see cref="Overlay.Files.LastBlock"/>): no others run meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class AloneCollection
{
    public const string Name = "alone";
}
