namespace Overlay.Ctl.Repair;

/// <summary>What repair was told to do.</summary>
internal sealed record RepairPlan
{
    internal bool Reclaims { get; init; }

    internal bool Salvages { get; init; }

    /// <summary>The saved file takes the damaged one's name.</summary>
    internal bool Replaces { get; init; }

    /// <summary>An existing directory; null: beside the damaged file.</summary>
    internal string? Output { get; init; }

    /// <summary>What is there is taken for right, where verify can only tell that it is not the newest.</summary>
    internal bool Accepts { get; init; }

    /// <summary>Nothing is changed.</summary>
    internal bool IsDryRun { get; init; }
}
