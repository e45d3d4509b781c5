// Medians and percentiles.
#pragma once

#include <vector>

namespace processhub::hub_bench {

/// 0 for none; the mean of the middle two for an even number.
double median(std::vector<double> samples);
/// The smallest sample that is not exceeded by the share `part` (0..1) of them; 0 for none.
double percentile(std::vector<double> samples, double part);

}  // namespace processhub::hub_bench
