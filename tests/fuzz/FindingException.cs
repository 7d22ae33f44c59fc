using System;

namespace Overlay.Fuzz;

/// <summary>A target did what it must not do.</summary>
internal sealed class FindingException(string message) : Exception(message);
