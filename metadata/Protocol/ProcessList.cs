using System.Collections.Generic;

namespace Overlay.Metadata.Protocol;

/// <summary>Who is connected to an agent, and what those did that have gone.</summary>
/// <param name="Ended">The sum over processes that are no longer connected.</param>
public sealed record ProcessList(CounterValues Ended, IReadOnlyList<ProcessStatus> Processes);
