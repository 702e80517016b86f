/** A panel of bars for each value of a field: bars are medians, lines reach from the slowest run to the fastest. */
export function bars({ rows, panels, names, width, format, color }) {
  const axis = { title: null, tickCount: 5, ...(format === undefined ? {} : { format }) };
  return {
    data: { values: rows },
    facet: { column: { field: panels, type: 'nominal', sort: null, title: null } },
    spec: {
      width,
      height: { step: 26 },
      encoding: {
        y: { field: names, type: 'nominal', sort: null, axis: { title: null, labelLimit: 200 } },
        x: { axis },
      },
      layer: [
        {
          mark: { type: 'bar', height: { band: 0.65 } },
          encoding: { x: { field: 'median', type: 'quantitative' }, color },
        },
        {
          mark: { type: 'rule', color: '#333' },
          encoding: { x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } },
        },
      ],
    },
  };
}
