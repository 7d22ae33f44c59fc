using System;

namespace Overlay.Ctl.Report;

internal enum Standing
{
    /// <summary>The evidence below supports it.</summary>
    Supported,

    /// <summary>Something that Overlay could do for it is not done.</summary>
    Attention,

    /// <summary>Overlay does nothing for it.</summary>
    NotCovered,
}

/// <summary>One row of a report.</summary>
/// <param name="Id">As the framework numbers it.</param>
/// <param name="Asks">What it asks for, in short.</param>
/// <param name="Verb">What of Overlay serves it.</param>
/// <param name="NotCovered">What this evidence does not show.</param>
/// <param name="Judge">From the evidence.</param>
internal sealed record Requirement(string Id, string Asks, string Verb, string NotCovered, Func<Evidence, (Standing Standing, string Text)> Judge);
