using System;
using System.Collections.Generic;
using Overlay.Files;

namespace Overlay.Engine;

/// <summary>What the shim found in the environment.</summary>
/// <param name="Volumes">Absolute real paths.</param>
/// <param name="AgentPath">The agent's socket, or null: look where a volume's agent listens, or start one.</param>
/// <param name="KeyFile">For an agent that has to be started.</param>
/// <param name="Kept">See <see cref="KeptDescriptors"/>.</param>
/// <param name="Cache">The engine's from now on.</param>
/// <param name="CountForks">How often this process has given descriptors to others: by a fork, or over a socket.</param>
/// <param name="Helper">For large writes.</param>
/// <param name="StartAgent">Starts one for all volumes, and returns when it serves or has failed.</param>
internal sealed record EngineSettings(
    IReadOnlyList<string> Volumes, string? AgentPath, string? KeyFile, IReadOnlyList<int> Kept, BlockCache Cache,
    Func<int> CountForks, IHelper Helper, Action StartAgent);
